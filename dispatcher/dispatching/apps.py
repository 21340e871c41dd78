from django.apps import AppConfig


class DispatchingConfig(AppConfig):
    name = "dispatcher.dispatching"
    label = "dispatching"
    default_auto_field = "django.db.models.BigAutoField"
