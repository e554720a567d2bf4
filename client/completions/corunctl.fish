# SPDX-License-Identifier: MIT
# What may stand next: corunctl itself says, and asks the daemon for ids, kinds, groups and contexts. No words but the shell's own are known here.

function __corunctl_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l found ($typed[1] __complete $typed[2..-1] 2>/dev/null)
    switch "$found[1]"
        case words
            string join \n -- $found[2..-1]
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
        case 'command *'
            set -l begin (math (string replace 'command ' '' -- $found[1]) + 2)
            complete -C (string join ' ' -- (string escape -- $typed[$begin..-2]) $typed[-1])
    end
end

complete -c corunctl -f -a '(__corunctl_complete)'
