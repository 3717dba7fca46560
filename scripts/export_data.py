#!/usr/bin/env python3
"""Writes examples/data/breast_cancer.csv, the data of examples/hyperopt.c, from the copy that scikit-learn ships.

    pip install scikit-learn && scripts/export_data.py

Breast Cancer Wisconsin (Diagnostic), W. Wolberg, O. Mangasarian, N. Street, W. Street, 1995; UCI Machine Learning Repository,
doi:10.24432/C5DW2B, licence CC BY 4.0. 569 rows: `benign` (1 or 0), then 30 features of cell nuclei, as they are.
"""
import pathlib

from sklearn.datasets import load_breast_cancer

data = load_breast_cancer()
names = [name.replace(" ", "_") for name in data.feature_names]
lines = ["benign," + ",".join(names)]
lines += [f"{label}," + ",".join(f"{value:g}" for value in row) for label, row in zip(data.target, data.data)]
path = pathlib.Path(__file__).resolve().parent.parent / "examples" / "data" / "breast_cancer.csv"
path.parent.mkdir(exist_ok=True)
path.write_text("\n".join(lines) + "\n")
print(f"{path}: {len(lines) - 1} rows, {path.stat().st_size} bytes")
