#!/usr/bin/env bash
# Install what the tests need from Debian: a browser, nginx with its RTMP module, Prometheus for its promtool, systemd for
# its systemd-analyze, OpenSSH for its signatures.
# Only when missing, only as root.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v nginx >/dev/null || missing+=(nginx)
[ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || missing+=(libnginx-mod-rtmp)
command -v promtool >/dev/null || missing+=(prometheus)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v ssh-keygen >/dev/null || missing+=(openssh-client)
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. On Debian, as root: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing ${missing[*]}"
# In this run level no service is started: the tests run what they need by themselves, on ports of their own.
export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
