#!/bin/sh
# What the tests of the whole program need beyond Rust and Node: a C compiler, Perl (for OpenSSL's build), Python with venv, Chromium, a token in software, a syslog server, MQTT and CoAP clients, and
# other people's clients in target/test-venv. Installs only what is missing, and says so first.
set -eu
cd "$(dirname "$0")/.."

# The first Python that can make a virtual environment.
python() {
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

missing=
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
command -v perl >/dev/null || missing="$missing perl"
command -v softhsm2-util >/dev/null || missing="$missing softhsm2"
[ -x /usr/sbin/rsyslogd ] && ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 || missing="$missing rsyslog rsyslog-gnutls"
[ -x /usr/bin/coap-client-openssl ] || missing="$missing libcoap3-bin"
command -v mosquitto_pub >/dev/null || missing="$missing mosquitto-clients"
command -v openssl >/dev/null || missing="$missing openssl"
command -v curl >/dev/null || missing="$missing curl"
command -v dbus-daemon >/dev/null || missing="$missing dbus-daemon"
[ -n "$(python)" ] || missing="$missing python3 python3-venv"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing="$missing chromium"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "The tests need packages that are not there. Please install them:" >&2
        echo "    sudo apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "apt: installing$missing"
    $as_root apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
fi

venv=target/test-venv
if ! cmp -s tests/requirements.txt "$venv/installed.txt"; then
    echo "pip: installing the test clients into $venv (tests/requirements.txt)"
    rm -rf "$venv"
    mkdir -p target
    "$(python)" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/installed.txt"
fi

# SMART's JavaScript client, as one file for the browser (web/e2e/smart.spec.mjs).
fhirclient=target/fhirclient
if [ ! -e "$fhirclient/package/build/fhir-client.min.js" ] && command -v npm >/dev/null; then
    echo "npm: fetching fhirclient 2.6.3"
    mkdir -p "$fhirclient"
    (cd "$fhirclient" && npm pack --silent fhirclient@2.6.3 >/dev/null)
    # The integrity that the registry states for this version.
    want=CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg==
    got=$("$(python)" -c 'import base64,hashlib,sys; print(base64.b64encode(hashlib.sha512(open(sys.argv[1],"rb").read()).digest()).decode())' "$fhirclient/fhirclient-2.6.3.tgz")
    [ "$got" = "$want" ] || { echo "fhirclient 2.6.3 is not what it should be" >&2; exit 1; }
    tar -xzf "$fhirclient/fhirclient-2.6.3.tgz" -C "$fhirclient"
fi
