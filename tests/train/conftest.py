# SPDX-License-Identifier: MIT
import torch

torch.set_num_threads(1)  # the same numbers on every machine, and no fight over its cores
