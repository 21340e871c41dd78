"""The words of the pages in other languages than English, which stands in the templates."""
