# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What may stand next: corunctl itself says, and asks the daemon for ids, kinds, groups and contexts. No words but the shell's own are known here.

_corunctl() {
  local now=${COMP_WORDS[COMP_CWORD]} begin
  local -a found
  COMPREPLY=()
  mapfile -t found < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case ${found[0]-} in
    words) COMPREPLY=("${found[@]:1}") ;;
    files | directories)
      compopt -o filenames 2>/dev/null
      if [ "${found[0]}" = files ]; then mapfile -t COMPREPLY < <(compgen -f -- "$now"); else mapfile -t COMPREPLY < <(compgen -d -- "$now"); fi
      ;;
    command\ *)
      begin=$((${found[0]#command } + 1))
      if declare -F _command_offset >/dev/null; then
        _command_offset "$begin"
      elif [ "$begin" -eq "$COMP_CWORD" ]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$now")
      else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$now")
      fi
      ;;
  esac
}
complete -F _corunctl corunctl
