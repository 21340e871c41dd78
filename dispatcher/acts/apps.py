from django.apps import AppConfig


class ActsConfig(AppConfig):
    name = "dispatcher.acts"
    label = "acts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dispatcher.acts import data_set  # noqa: F401, PLC0415 - a check of Django's registers itself
