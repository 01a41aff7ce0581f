# `latentlab completion bash`. `-sc query=bash` is Hydra's: it completes COMP_LINE, which it expects without a subcommand.
_latentlab() {
    local line=${COMP_LINE:0:$COMP_POINT} choices='' choice ending=' '
    line=${line#*"$1" } line=${line//[\"\']/}
    local subcommand=${line%% *} word=${line##* }
    if [[ $line != *' '* ]]; then
        choices='train evaluate export report explore demo check reproduce completion --help --version'
    elif [[ $subcommand == completion ]]; then
        choices='bash fish zsh'
    elif [[ $word == -* ]]; then
        choices='--help'
        [[ $subcommand == train ]] && choices='--cfg --config-dir --config-name --help --info --multirun --resolve'
    elif [[ $word != *=[./~]* ]]; then # else a path, which the shell completes
        [[ $subcommand == demo || $subcommand == check ]] && subcommand=train
        choices=$(COMP_LINE="latentlab ${line#* }" "$1" "$subcommand" -sc query=bash 2>/dev/null)
        ending='=' # of a group, where Hydra leaves it out
    fi
    COMPREPLY=()
    while read -r choice; do
        case $choice in
            *=*[.=]) continue ;; # an item of a list, which cannot be set
            *=?*) choice+=' ' ;;
            *[.=/]) ;;
            *) choice+=$ending ;;
        esac
        [[ $choice == "$word"?* ]] && COMPREPLY+=("${choice#"${word%"$2"}"}") # bash replaces only what follows the =
    done < <(tr ' ' '\n' <<< "$choices")
}
complete -o nospace -o default -F _latentlab latentlab
