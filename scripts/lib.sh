# SPDX-License-Identifier: MIT
# Shared by the scripts of this folder: sourced, never run. Says what it does on stderr, so that a caller's stdout
# stays its own.
# shellcheck shell=bash

# shellcheck disable=SC2034  # used by those who source this
repo_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A bare environment may have none.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The codename of this Debian ("bookworm"), empty elsewhere.
debian_codename() { (. /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && printf '%s' "${VERSION_CODENAME:-}") || true; }

# package_name NAME [CODENAME]: what a package is called in a release, this machine's if none is named. Debian 12's default Boost is
# too old, so that one carries its version there.
package_name() {
  case "$1:${2:-$(debian_codename)}" in
    boost:bookworm) echo libboost1.81-dev ;;
    boost:*) echo libboost-dev ;;
    systemd.pc:bookworm) echo systemd ;;
    systemd.pc:*) echo systemd-dev ;;
    *) echo "$1" ;;
  esac
}

# shellcheck disable=SC2034
{
  # dpkg-dev tells meson where libraries belong here.
  packages_build=(g++ dpkg-dev meson ninja-build pkgconf boost nlohmann-json3-dev libsystemd-dev libspdlog-dev
    libsqlite3-dev libvalijson-dev libtomlplusplus-dev libcli11-dev systemd.pc)
  packages_test=(strace catch2 ccache doxygen gdb git procps scdoc socat netcat-openbsd zsh fish)
  packages_clang=(clang-19 libclang-rt-19-dev)
  packages_container=(debootstrap systemd-container debian-archive-keyring)
}

apt_lists_are_fresh=

apt_update_once() {
  [ -z "$apt_lists_are_fresh" ] || return 0
  # One unreachable extra source must not stop us: if something is really missing, the install says so.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 || true
  apt_lists_are_fresh=yes
}

# install_packages NAME...: installs those that are missing. Touches nothing, and needs no rights, when none is.
install_packages() {
  local name missing=()
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here: expecting the counterparts of: $*"
    return 0
  fi
  for name in "$@"; do
    name=$(package_name "$name")
    [ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = 'install ok installed' ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  apt_update_once
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2
}

# Commands compile through ccache where it is, in a cache of this project's own unless the caller has chosen one.
use_ccache() {
  ccache=
  command -v ccache >/dev/null || return 0
  ccache='ccache '
  export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/corund/ccache}
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$repo_root}
  export CCACHE_NOHASHDIR=yes
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
}

# configure DIR COMPILER OPTION...: a meson build directory; one that is there already is left to ninja.
configure() {
  local dir=$1 compiler=$2
  shift 2
  [ ! -e "$dir/build.ninja" ] || return 0
  CXX="${ccache-}$compiler" meson setup "$dir" "$repo_root" --prefix=/usr "$@" >&2
}
