# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of streamctl for bash. The program itself says what there is: client/complete/complete.h.

_streamctl() {
    local before=${COMP_LINE:0:COMP_POINT} own=${COMP_WORDS[COMP_CWORD]} current front line
    local -a words

    # Split at blanks alone. bash also splits at : and =, and replaces only what comes after the last
    # of them: that is the end of our word, and what is in front of it is not to come twice.
    read -ra words <<<"$before"
    [[ $before == *[[:space:]] ]] && words+=("")
    current=${words[-1]}
    [[ $own == [=:] ]] && own=
    front=${current%"$own"}
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do
                COMPREPLY+=("$line")
            done < <(compgen -f -- "$own")
        else
            line=${line%%$'\t'*}
            COMPREPLY+=("${line#"$front"}")
        fi
    done < <("$1" --complete "${words[@]:1}" 2>/dev/null)
}

complete -F _streamctl streamctl
