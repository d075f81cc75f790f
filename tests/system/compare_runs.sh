# For the scripts that stop, damage or starve a run and let it go on: does it end as one that never was disturbed?

# compare_runs WHOLE CUT: the folders hold the same, but for times and the number of threads; else a line says what not
compare_runs() {
  local whole=$1 cut=$2 folder link left
  for folder in checkpoints resume; do
    diff -rq "$whole/$folder" "$cut/$folder" || return 1
  done
  for link in latest.h5 best.h5; do
    [ "$(readlink "$whole/$link")" = "$(readlink "$cut/$link")" ] || { echo "another $link" && return 1; }
  done
  diff <(cut -d, -f1 "$whole/metrics.csv") <(cut -d, -f1 "$cut/metrics.csv") >/dev/null ||
    { echo "other rows in metrics.csv" && return 1; }
  diff <(grep -v ^threads "$whole/config.ini") <(grep -v ^threads "$cut/config.ini") || return 1
  diff "$whole/version.txt" "$cut/version.txt" || return 1
  left=$(find "$cut" -name '.tmp-*')
  [ -z "$left" ] || { echo "temporary files left: $left" && return 1; }
}
