"""The addresses of the settings."""

from functools import partial

from django.urls import path

from dispatcher.console import settings, settings_lists, settings_outlets

urlpatterns = [
    path("settings/", settings.overview, name="settings"),
    path("settings/town/", settings.town_form, name="settings-town"),
    path("settings/address/", settings.address_form, name="settings-address"),
    path("settings/topics/", settings_lists.topic, name="settings-topics-new"),
    path("settings/order/topics/", partial(settings_lists.move, which="topics"), name="settings-topics-order"),
    path("settings/topics/<slug:slug>/", settings_lists.topic, name="settings-topics"),
    path("settings/districts/", settings_lists.district, name="settings-districts-new"),
    path("settings/order/districts/", partial(settings_lists.move, which="districts"), name="settings-districts-order"),
    path("settings/districts/<slug:slug>/", settings_lists.district, name="settings-districts"),
    path("settings/outlets/", settings_outlets.choose, name="settings-channels"),
    path("settings/new-outlet/<slug:channel>/", settings_outlets.new, name="settings-outlet-new"),
    path("settings/outlets/<slug:name>/", settings_outlets.change, name="settings-outlet"),
    path("settings/outlets/<slug:name>/check/", settings_outlets.check, name="settings-outlet-check"),
]
