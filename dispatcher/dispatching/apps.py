from django.apps import AppConfig
from django.db.backends.signals import connection_created

from dispatcher.dispatching import clock


class DispatchingConfig(AppConfig):
    name = "dispatcher.dispatching"
    label = "dispatching"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(clock.add_lease_clock, dispatch_uid="lease clock")
