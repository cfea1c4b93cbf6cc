# SPDX-License-Identifier: MIT
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))  # recordings.py
torch.set_num_threads(1)  # the same numbers on every machine, and no fight over its cores
