#!/bin/bash
# Runs a script of this folder with the settings that training on a CPU needs: OpenBLAS on OpenMP (one pool of threads with the kernels),
# memory kept by malloc (page faults cost more than the arithmetic otherwise), Debian's Python with its PyTorch.
cd "$(dirname "$0")"
[ -d /usr/lib/x86_64-linux-gnu/openblas-openmp ] && export LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=30000000000 MALLOC_TOP_PAD_=1000000000
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-200000}"  # wait briefly for the other thread, then sleep: beside other work spinning only costs time
exec "${PYTHON:-/usr/bin/python3}" -u "$@"
