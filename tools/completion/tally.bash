# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
#
# Completion of `tally` for bash: commands, their options, files, and the ids of processes that
# publish their books. Installed where bash-completion looks.

# The processes of this user that publish.
_tally_processes() {
  local file
  for file in "${XDG_RUNTIME_DIR:-/nonexistent}"/tally/* /dev/shm/tally-"$UID"/*; do
    [[ ${file##*/} =~ ^[0-9]+$ && -d /proc/${file##*/} ]] && echo "${file##*/}"
  done
}

_tally() {
  local word=$2 previous=$3 command= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [ "$command" = run ] && [ "${COMP_WORDS[i]}" = -- ]; then
      # What follows is a command line of its own.
      declare -F _command_offset >/dev/null && _command_offset $((i + 1))
      return
    fi
    [[ -z $command && ${COMP_WORDS[i]} != -* ]] && command=${COMP_WORDS[i]}
  done
  case "$previous" in
    --format)
      case "$command" in
        run | stat) words='text json openmetrics prometheus' ;;
        diff) words='text json' ;;
      esac ;;
    --output | --library | --textfile | -o)
      COMPREPLY=($(compgen -f -- "$word"))
      return ;;
    --interval | --count | --delay | --listen | --limit) return ;;
    *)
      case "$command" in
        '') words='run ps stat top map diff report exporter --help --version' ;;
        run) words='--interval --format --output --keep --library --help --' ;;
        ps) words='--prune --help' ;;
        stat) words="--interval --count --format --help $(_tally_processes)" ;;
        top) words="--delay --help $(_tally_processes)" ;;
        map) words="-o --output --help $(_tally_processes)" ;;
        diff) words='--format --all --help' ;;
        report) words='-o --output --help' ;;
        exporter) words='--listen --textfile --interval --limit --help' ;;
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  # These take files, too.
  if [[ $command =~ ^(stat|map|diff|report)$ && $word != -* && $previous != --format ]]; then
    COMPREPLY+=($(compgen -f -- "$word"))
  fi
}

complete -o filenames -F _tally tally
