"""Building and running packages with the platform's own runtime and builders, but without its database and programs."""
