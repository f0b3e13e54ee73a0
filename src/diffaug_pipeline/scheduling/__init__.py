"""Runs that start by themselves: by cron, by systemd timers, or by Dagster."""
