#!/bin/sh
# Prints the table of docs/results.md from the results.csv that runs/reproduce.sh wrote: a row a task, over its seeds.
set -eu
awk -F, '
  { n[$1]++; sum[$1] += $4; square[$1] += $4 * $4; step[$1] = $3
    each[$1] = each[$1] (each[$1] == "" ? "" : ", ") sprintf(($4 < 0 ? "%.2f" : "%.0f"), $4) }
  END {
    print "| configuration | steps | seeds | mean | deviation over seeds | each seed |"
    print "|---|---|---|---|---|---|"
    for (name in n) {
      mean = sum[name] / n[name]; var = square[name] / n[name] - mean * mean
      printf "| %s | %d | %d | %.1f | %.1f | %s |\n", name, step[name], n[name], mean, sqrt(var > 0 ? var : 0), each[name] | "sort"
    }
  }' "$1"
