"""`latentlab SUBCOMMAND ...`, which is `python -m latentlab SUBCOMMAND ...`."""

import sys
from collections.abc import Callable, Collection
from importlib.metadata import version

from latentlab.errors import nearest, unknown

# each imports its own file, so that --help and a mistyped name are answered at once


def train(arguments: list[str]) -> int:
    """Train one model, or with -m a sweep of them."""
    from latentlab.commands.train import main

    return main(arguments)


def evaluate(arguments: list[str]) -> int:
    """Measure a finished run on the official test images."""
    from latentlab.commands.evaluate import main

    return main(arguments)


def report(arguments: list[str]) -> int:
    """Compare the runs of a sweep, or any runs, on one page."""
    from latentlab.commands.report import main

    return main(arguments)


def demo(arguments: list[str]) -> int:
    """Train all five variants in one sweep and print them side by side."""
    from latentlab.commands.demo import main

    return main(arguments)


def check(arguments: list[str]) -> int:
    """Train a small fixed sweep and compare its figures with the recorded ones."""
    from latentlab.commands.check import main

    return main(arguments)


def completion(arguments: list[str]) -> int:
    """Print the script that switches on tab completion in bash, zsh or fish."""
    shell = arguments[0] if arguments else "--help"
    if shell in ("-h", "--help"):
        print('eval "$(latentlab completion bash)"   in ~/.bashrc; in ~/.zshrc the same with zsh')
        print("latentlab completion fish | source    in ~/.config/fish/config.fish")
    elif shell in COMPLETIONS:
        print(COMPLETIONS[shell].replace("SUBCOMMANDS", " ".join(SUBCOMMANDS)))
    else:
        return _mistake(f"completion: no script for {shell!r}", shell, COMPLETIONS)
    return 0


SUBCOMMANDS: dict[str, Callable[[list[str]], int]] = {
    f.__name__: f for f in (train, evaluate, report, demo, check, completion)
}

# `-sc query=bash` is Hydra's: it completes COMP_LINE, which it expects without a subcommand.
BASH = r"""_latentlab() {
    local line=${COMP_LINE:0:$COMP_POINT} choices='' choice ending=' '
    line=${line#*"$1" } line=${line//[\"\']/}
    local subcommand=${line%% *} word=${line##* }
    if [[ $line != *' '* ]]; then
        choices='SUBCOMMANDS --help --version'
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
complete -o nospace -o default -F _latentlab latentlab"""

ZSH = """(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz bashcompinit && bashcompinit
"""

FISH = """function __latentlab
    set -l words (commandline -opc)
    set -lx COMP_LINE (string join -- ' ' latentlab $words[3..] (commandline -ct))
    $words[1] (string replace -r '^(demo|check)$' train $words[2]) -sc query=bash 2>/dev/null | string split ' '
end
complete -c latentlab -n __fish_use_subcommand -f -a 'SUBCOMMANDS'
complete -c latentlab -n '__fish_seen_subcommand_from completion' -f -a 'bash fish zsh'
complete -c latentlab -n 'not __fish_use_subcommand' -a '(__latentlab)'"""

COMPLETIONS = {"bash": BASH, "fish": FISH, "zsh": ZSH + BASH}


def main() -> None:
    """Run the subcommand and exit with its status."""
    sys.exit(_status(sys.argv[1:]))


def _status(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "--help"
    if name in SUBCOMMANDS:
        return SUBCOMMANDS[name](arguments[1:])
    if name in ("-h", "--help"):
        print(_usage())
    elif name == "--version":
        print(f"latentlab {version('latentlab')}")
    else:
        return _mistake(f"{name}: no such subcommand", name, SUBCOMMANDS)
    return 0


def _mistake(what: str, name: str, known: Collection[str]) -> int:
    print(f"error: {unknown(what, nearest(name, known), known)}", file=sys.stderr)
    return 1


def _usage() -> str:
    lines = [f"  {name:12}{function.__doc__}" for name, function in SUBCOMMANDS.items()]
    return "\n".join(["latentlab SUBCOMMAND [KEY=VALUE ...]", "", *lines, "", "latentlab SUBCOMMAND --help says more."])


if __name__ == "__main__":
    main()
