"""The addresses of the admins' desk: the queue, each outlet, and what can be done to it."""

from django.urls import path

from dispatcher.console import outlet, queue

urlpatterns = [
    path("queue/", queue.queue, name="queue"),
    path("queue/state/", queue.queue_state, name="queue-state"),
    path("outlets/<slug:name>/", outlet.outlet, name="outlet"),
    path("outlets/<slug:name>/state/", outlet.outlet_state, name="outlet-state"),
    path("outlets/<slug:name>/pause/", outlet.pause, name="outlet-pause"),
    path("outlets/<slug:name>/resume/", outlet.resume, name="outlet-resume"),
    path("outlets/<slug:name>/try-again/", outlet.try_again, name="outlet-try-again"),
    path("outlets/<slug:name>/settle/", outlet.settle, name="outlet-settle"),
]
