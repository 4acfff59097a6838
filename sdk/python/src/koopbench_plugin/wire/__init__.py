"""The wire format, generated from koopbench's plugin.proto, which documents it. Authors of plugins do not need it."""
