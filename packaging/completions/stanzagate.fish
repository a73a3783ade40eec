# fish completion of stanzagate

set -l commands run check explain import-prosody status
set -l none "not __fish_seen_subcommand_from $commands"

complete -c stanzagate -f
complete -c stanzagate -n "$none" -a run -d 'serve in the foreground'
complete -c stanzagate -n "$none" -a check -d 'load everything, serve nothing, report what is wrong'
complete -c stanzagate -n "$none" -a explain -d 'what would become of a registration request, and why'
complete -c stanzagate -n "$none" -a import-prosody -d 'print what a Prosody configuration says'
complete -c stanzagate -n "$none" -a status -d 'ask the running process'
complete -c stanzagate -n "$none" -l version -d 'show the version'
complete -c stanzagate -s h -l help -d 'show help'

complete -c stanzagate -n '__fish_seen_subcommand_from run check explain status' -s c -l config -r -F -d 'the configuration file'
complete -c stanzagate -n '__fish_seen_subcommand_from run' -l core-dumps -d 'leave core dumps as the system has them'
complete -c stanzagate -n '__fish_seen_subcommand_from import-prosody' -F

set -l check '__fish_seen_subcommand_from check'
complete -c stanzagate -n "$check" -l live -d 'examine the servers, too'
complete -c stanzagate -n "$check" -l host -x -d 'a host to examine'
complete -c stanzagate -n "$check" -l json -d 'for programs'

set -l explain '__fish_seen_subcommand_from explain'
complete -c stanzagate -n "$explain" -l host -x -d 'the host to register at'
complete -c stanzagate -n "$explain" -l from -x -d 'the address of the client'
complete -c stanzagate -n "$explain" -l request -x -a 'get set' -d 'what the client asks'
complete -c stanzagate -n "$explain" -l transport -x -a 'starttls direct websocket bosh' -d 'how the client connects'
complete -c stanzagate -n "$explain" -l lang -x -d 'the language the client asks for'
complete -c stanzagate -n "$explain" -l invited -d 'as if the client had a valid invitation'
complete -c stanzagate -n "$explain" -l json -d 'for programs'
