#compdef corunctl
# SPDX-License-Identifier: MIT
# What may stand next: corunctl itself says, and asks the daemon for ids, kinds, groups and contexts. No words but the shell's own are known here.

local -a found
found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
case ${found[1]} in
  words) (( $#found < 2 )) || compadd -- "${(@)found[2,-1]}" ;;
  files) _files ;;
  directories) _files -/ ;;
  command\ *)
    local -i begin=$(( ${found[1]#command } + 1 ))
    shift begin words
    (( CURRENT -= begin ))
    _normal
    ;;
esac
