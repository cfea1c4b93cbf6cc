#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, by name, and says what could not be had. Never fails for want of Pd: without it the demo runs in Python.
#   tools/setup.sh [demo|check]     what is needed for make demo (default), or for everything that make check tries
set -u
what=${1:-demo}

say() { printf 'setup: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

pd_headers() {
    for folder in /usr/include /usr/include/pd /usr/local/include /usr/local/include/pd; do
        [ -e "$folder/m_pd.h" ] && return 0
    done
    return 1
}

debian() {
    local wanted=() root=()
    has cc && has make || wanted+=(build-essential)
    python3 -c 'import venv, ensurepip' 2>/dev/null || wanted+=(python3-venv)
    python3 -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null ||
        wanted+=(python3-dev)
    has pd || wanted+=(puredata-core puredata-gui)
    pd_headers || wanted+=(puredata-dev)
    [ -e /usr/share/pd-lib-builder ] || wanted+=(pd-lib-builder)
    if [ "$what" = check ]; then
        has valgrind || wanted+=(valgrind)
        has clang || wanted+=(clang)
        has x86_64-w64-mingw32-gcc || wanted+=(gcc-mingw-w64-x86-64)
        has cmake || wanted+=(cmake)
        ls /usr/lib/*/extra/bonk~ >/dev/null 2>&1 || wanted+=(puredata-extra)
        has aarch64-linux-gnu-gcc || wanted+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
        has arm-linux-gnueabihf-gcc || wanted+=(gcc-arm-linux-gnueabihf libc6-dev-armhf-cross)
        has qemu-aarch64 && has qemu-arm || wanted+=(qemu-user)
        ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a >/dev/null 2>&1 || wanted+=(clang-runtime)
    fi
    [ ${#wanted[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        if ! has sudo; then
            say "please install as root: apt-get install ${wanted[*]/clang-runtime/libclang-rt-dev}"
            return
        fi
        root=(sudo)
    fi
    say "installing ${wanted[*]}"
    "${root[@]}" apt-get update -qq
    # the sanitizer runtime of the default clang carries a number that only apt's lists know
    wanted=($(printf '%s\n' "${wanted[@]}" | sed "s/^clang-runtime$/$(clang_runtime)/"))
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
        say "apt-get could not install all of: ${wanted[*]}"
}

clang_runtime() {
    apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -n 1
}

# Written without a Mac at hand: not run yet.
macos() {
    has cc || say "please run: xcode-select --install"
    if has pd || ls -d /Applications/Pd*.app >/dev/null 2>&1; then return; fi
    if has brew; then
        say "installing Pd with Homebrew"
        brew install --cask pd || say "Homebrew could not install Pd"
    else
        say "Pd is missing: install it from puredata.info, or Homebrew and run this again"
    fi
}

if has apt-get; then debian
elif [ "$(uname -s)" = Darwin ]; then macos
else say "this system's packages are not known here; needed are a C compiler, make, Python 3.10 or newer with venv, Pd with its headers, pd-lib-builder"
fi
has python3 || { say "Python 3.10 or newer is needed"; exit 1; }
has cc || { say "a C compiler is needed"; exit 1; }
exit 0
