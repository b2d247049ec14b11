"""A million float32 normal numbers in torch, as normals_side.

normals.py [COLUMNS]
"""
import json
import os
import sys
import time

import torch

columns = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
torch.randn(1_000_000 // columns, columns)  # warm-up, on both sides
for _ in sys.stdin:
    start = time.perf_counter()
    torch.randn(1_000_000 // columns, columns)
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
