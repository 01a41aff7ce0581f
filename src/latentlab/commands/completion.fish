# `latentlab completion fish`
function __latentlab
    set -l words (commandline -opc)
    set -lx COMP_LINE (string join -- ' ' latentlab $words[3..] (commandline -ct))
    $words[1] (string replace -r '^(demo|check)$' train $words[2]) -sc query=bash 2>/dev/null | string split ' '
end
complete -c latentlab -n __fish_use_subcommand -f -a 'train evaluate export report explore demo check reproduce completion'
complete -c latentlab -n '__fish_seen_subcommand_from completion' -f -a 'bash fish zsh'
complete -c latentlab -n 'not __fish_use_subcommand' -a '(__latentlab)'
