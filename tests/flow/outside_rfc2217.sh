#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The outside client's own telnet side, before it is trusted as a witness: literal bytes, a scripted server.
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
exec node --test tests/outside/rfc2217.test.mjs
