"""Builds images through the engine's build API: a workload whose specification has `build`.

The container runtime hands such workloads over to this module. It keeps their common parts: `<run directory>/<id>/`
with the lock, spec.json and stop.json (see `folder.py`), the companion container with its network namespace and its
way out (see `companions.py`), and the end of both. This module runs the build itself and tells how it goes:

- `start(context, folder, spec)`: the companion runs (`context.companions.pid(folder)`), nobody else starts this
  workload now; start the detached builder unless it was started, and return. Raise `RuntimeFault` if that can't be.
- `observe(context, folder, spec)`: an `Observation`, or None where nothing was started.
- `stop(context, folder, grace_seconds)`: ask the build to end; return at once. `observe` enforces the grace.
- `forget(context, folder)`: what the engine still has of the build is removed; the folder goes right after.

The log is `folder.log_file`, which the builder appends to; `logs` reads it as that of any other workload.
`context` holds `options` (Options), `engine` (Engine: `client`, `call`) and `companions`.
"""
