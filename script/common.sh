# Sourced by the scripts beside it: goes to the root of the checkout and sets the number of parallel jobs.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# One compiler needs up to 1.5 GB here, so a machine with many cores and little memory gets fewer jobs.
default_jobs() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)
  by_memory=$((memory_kb / 1500000))
  ((by_memory > 0)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(default_jobs)}
