#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetches further versions of Pd side by side into build/hosts/, for the tests: Debian's backports in single and double precision. The
# system's own apt configuration is only read: the backports entry is derived from it, lists and caches lie in build/.
set -u
cd "$(dirname "$0")/.."
hosts=$PWD/build/hosts apt=$PWD/build/apt
say() { printf 'fetch_pd: %s\n' "$*" >&2; }

if [ -x "$hosts/pd-0.55/usr/bin/puredata" ] && [ -x "$hosts/pd-0.55-double/usr/bin/puredata64" ]; then exit 0; fi
command -v apt-get >/dev/null || { say "other versions of Pd come from Debian's apt, which is not here"; exit 0; }
. /etc/os-release
[ "${ID:-}" = debian ] || { say "backports are Debian's; this is ${ID:-unknown}: only the installed Pd is tested"; exit 0; }
suite=${VERSION_CODENAME:-bookworm}

mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources" "$hosts"
# The archive that the machine itself uses for this suite, in either format of sources.
entry=$(
    {
        grep -hE "^deb .* $suite " /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -E 's/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/'
        awk -v suite="$suite" '
            /^URIs:/ {uri = $2} /^Suites:/ {for (i = 2; i <= NF; i++) if ($i == suite) print uri}
        ' /etc/apt/sources.list.d/*.sources 2>/dev/null
    } | head -n 1
)
[ -n "$entry" ] || { say "no Debian archive for $suite is configured on this machine"; exit 0; }
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' "$entry" "$suite" >"$apt/sources/backports.list"

options=(-o Dir::Etc::sourcelist="$apt/sources/backports.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt/lists"
    -o Dir::Cache="$apt/cache" -o Acquire::Languages=none)
apt-get "${options[@]}" update -qq >"$apt/log" 2>&1 || { say "the backports of $suite cannot be had (see build/apt/log)"; exit 0; }

fetch() { # folder, packages
    local folder=$hosts/$1
    shift
    (cd "$apt" && rm -f ./*.deb && apt-get "${options[@]}" download "$@" >>log 2>&1) || { say "$* cannot be downloaded"; return; }
    for package in "$apt"/*.deb; do dpkg -x "$package" "$folder"; done
    rm -f "$apt"/*.deb
}
fetch pd-0.55 puredata-core puredata-dev
fetch pd-0.55-double puredata64-core
ls "$hosts"/*/usr/bin/puredata* 2>/dev/null | sed "s|^|fetch_pd: |" >&2
exit 0
