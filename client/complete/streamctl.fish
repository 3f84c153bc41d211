# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of streamctl for fish. The program itself says what there is: client/complete/complete.h.

function __streamctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] --complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l front (string match -r -- '^--[^=]*=' "$current")
            for file in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
                echo "$front$file"
            end
        else
            echo $line
        end
    end
end

complete -c streamctl -f -k -a '(__streamctl_complete)'
