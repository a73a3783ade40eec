# bash completion of stanzagate

_stanzagate() {
    local current=$2 previous=$3 word command='' words=''
    COMPREPLY=()
    case $previous in
        -c | --config)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --request) words='get set' ;;
        --transport) words='starttls direct websocket bosh' ;;
        --host | --from | --lang) return ;;
    esac
    if [[ -z $words ]]; then
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
            [[ $word == -* ]] || { command=$word; break; }
        done
        case $command in
            '') words='run check explain import-prosody status --help --version' ;;
            run) words='-c --config --core-dumps --help' ;;
            status) words='-c --config --help' ;;
            check) words='-c --config --live --host --json --help' ;;
            explain)
                words='-c --config --host --from --request --transport --lang --invited --json --help'
                ;;
            import-prosody)
                if [[ $current != -* ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                    return
                fi
                words='--help'
                ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _stanzagate stanzagate
