"""Runs that start by themselves: at times of a calendar, or when files arrive."""
