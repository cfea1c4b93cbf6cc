#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetches further versions of Pd side by side into build/hosts/, for the tests: Debian's backports in single and double precision, and both
# precisions for arm64 and armv7 with all that they need, to be run under qemu-user. The system's own apt configuration is only read: the
# archive is taken from it, lists and caches lie in build/.
set -u
cd "$(dirname "$0")/.."
hosts=$PWD/build/hosts apt=$PWD/build/apt
say() { printf 'fetch_pd: %s\n' "$*" >&2; }

complete=yes
for program in pd-0.55/usr/bin/puredata pd-0.55-double/usr/bin/puredata64 pd-arm{64,v7}/usr/bin/puredata{,64}; do
    [ -x "$hosts/$program" ] || complete=
done
[ -z "$complete" ] || exit 0
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
printf "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $entry %s main\n" "$suite" "$suite-backports" >"$apt/sources/debian.list"
: >"$apt/status" # of a machine on which nothing is installed yet

# apt-get for a machine, of which nothing is known but these archives
get() { # architecture, words
    apt-get -o APT::Architecture="$1" -o APT::Architectures="$1" -o Dir::State::status="$apt/status" -o Dir::Etc::sourcelist="$apt/sources/debian.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none "${@:2}" >>"$apt/log" 2>&1
}
: >"$apt/log"
native=$(dpkg --print-architecture)
unpack() { # folder, packages
    for package in "${@:2}"; do dpkg -x "$package" "$hosts/$1"; done
}
fetch() { # folder, packages of the backports: alone, beside what is installed
    (cd "$apt" && rm -f ./*.deb && get "$native" download "${@:2}") || { say "${*:2} cannot be downloaded (see build/apt/log)"; return; }
    unpack "$1" "$apt"/*.deb
    rm -f "$apt"/*.deb
}
emulated() { # folder, architecture: Pd with every library that it needs
    rm -f "$apt"/cache/archives/*.deb
    get "$2" update -qq && get "$2" install -y --no-install-recommends --download-only puredata-core puredata64-core "libc6:$2" ||
        { say "Pd for $2 cannot be downloaded (see build/apt/log)"; return; }
    unpack "$1" "$apt"/cache/archives/*.deb
}
get "$native" update -qq || { say "the archives of $suite cannot be had (see build/apt/log)"; exit 0; }
fetch pd-0.55 "puredata-core/$suite-backports" "puredata-dev/$suite-backports"
fetch pd-0.55-double "puredata64-core/$suite-backports"
emulated pd-arm64 arm64
emulated pd-armv7 armhf
ls "$hosts"/*/usr/bin/puredata* 2>/dev/null | sed "s|^|fetch_pd: |" >&2
exit 0
