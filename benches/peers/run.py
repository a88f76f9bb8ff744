#!/usr/bin/env python3
"""Times Reeve's isolation forest beside scikit-learn's and isotree's, on the same rows in the same run.

    benches/peers/run.py                      a temporary environment, both sizes, three rounds
    benches/peers/run.py --python PATH        an environment that has numpy, scipy, pandas, scikit-learn and isotree already
    benches/peers/run.py --rows 100000x10     one size only

Needs cargo and, unless --python is given, the network: scikit-learn and isotree come from their registry (isotree is compiled
there, which takes minutes). 100 trees on 256 rows each, all cores, the best of the rounds; the three take turns in each round.
isotree gets the rows as they lie and, noted apart, laid out column by column beforehand, which spares it a copy. One row in a hundred is an anomaly, so that the quality of
what was timed can be held side by side. Beside the seconds by the clock stand those of all cores together, which say the same on a busy
machine. Prints a table and writes nothing into the project.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import venv

# isotree imports pandas and scipy without naming them all among what it needs.
NEEDED = ["numpy", "scipy", "pandas", "scikit-learn", "isotree"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--python", help="interpreter with numpy, scipy, pandas, scikit-learn and isotree")
    ap.add_argument("--rows", action="append", help="ROWSxCOLUMNS, may be repeated (100000x10 and 1000000x20)")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--tabular", action="store_true", help="also time the fixed mixture for tables")
    a = ap.parse_args()
    sizes = [tuple(int(n) for n in size.split("x")) for size in a.rows or ["100000x10", "1000000x20"]]
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "reeve-models", "--example", "forest_speed"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    binary = os.path.join(target, "release", "examples", "forest_speed")
    with tempfile.TemporaryDirectory() as folder:
        python = a.python
        if not python:
            print("Making an environment with scikit-learn and isotree …", flush=True)
            venv.create(os.path.join(folder, "env"), with_pip=True)
            python = os.path.join(folder, "env", "bin", "python")
            subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
        for rows, columns in sizes:
            side = [python, __file__, "--side", folder, binary, str(rows), str(columns), str(a.rounds), str(int(a.tabular))]
            subprocess.run(side, check=True)


def side(folder, binary, rows, columns, rounds, tabular):
    """Runs in the environment that has the peers."""
    import time

    import numpy as np
    from isotree import IsolationForest as Isotree
    from sklearn.ensemble import IsolationForest as Sklearn
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(20240607)
    odd = (np.arange(rows) % 100 == 99).astype(int)
    # Usual rows follow a common factor; odd ones are twice as wide and follow none.
    factor = rng.standard_normal((rows, 1))
    x = 0.6 * factor + 0.8 * rng.standard_normal((rows, columns))
    x[odd == 1] = 2.0 * rng.standard_normal((int(odd.sum()), columns))
    turned = np.asfortranarray(x)
    file, scores = os.path.join(folder, "rows.bin"), os.path.join(folder, "scores.bin")
    with open(file, "wb") as out:
        out.write(np.array(x.shape, np.uint32).tobytes())
        out.write(x.tobytes())
    cores = os.cpu_count()
    found = {}

    def note(name, fit, score, said):
        """`fit` and `score`: seconds by the clock, and of all cores together."""
        old = found.get(name, ((np.inf, np.inf), (np.inf, np.inf), []))
        best = lambda was, now: tuple(min(pair) for pair in zip(was, now))
        found[name] = (best(old[0], fit), best(old[1], score), old[2] + [roc_auc_score(odd, said)])

    def timed(f):
        begun, busy = time.perf_counter(), time.process_time()
        result = f()
        return (time.perf_counter() - begun, time.process_time() - busy), result

    def peer(name, make, data, score):
        fit, model = timed(lambda: make().fit(data))
        took, said = timed(lambda: score(model, data))
        note(name, fit, took, said)

    for seed in range(rounds):
        peer("scikit-learn axis", lambda: Sklearn(n_estimators=100, max_samples=256, n_jobs=cores, random_state=seed), x,
             lambda model, data: -model.score_samples(data))
        for name, ndim in (("isotree axis", 1), ("isotree extended", 2)):
            for data, suffix in ((x, ""), (turned, ", by columns")):
                peer(name + suffix, lambda: Isotree(ntrees=100, sample_size=256, ndim=ndim, nthreads=cores, random_seed=seed), data,
                     lambda model, data: model.predict(data))
        for rule in ["axis", "extended"] + ["tabular"] * tabular:
            # Twice in one process and the better: the peers' later rounds find their threads awake too.
            said = subprocess.run([binary, file, rule, "2", str(seed), scores], check=True, capture_output=True, text=True)
            fit, took, fit_cpu, took_cpu = (np.nan if n == "-" else float(n) for n in said.stdout.split())
            note("Reeve " + rule, (fit, fit_cpu), (took, took_cpu), np.fromfile(scores))
    print(f"\n{rows:,} rows x {columns}, 100 trees x 256 rows, {cores} cores, best of {rounds}")
    print(f"{'':30}{'fit s':>9}{'CPU s':>9}{'score s':>9}{'CPU s':>9}{'AUROC':>8}")
    for name, (fit, score, quality) in found.items():
        print(f"{name:30}{fit[0]:9.4f}{fit[1]:9.4f}{score[0]:9.4f}{score[1]:9.4f}{np.mean(quality):8.3f}")
    for at, by in ((0, "by the clock"), (1, "CPU seconds")):
        fit, score = (lambda name: found[name][0][at]), (lambda name: found[name][1][at])
        best = min(score(n) for n in found if n.startswith(("scikit-learn", "isotree axis")))
        extended = min(score("isotree extended"), score("isotree extended, by columns"))
        print(f"{by}: score, axis: {best / score('Reeve axis'):.1f} times the faster peer; "
              f"extended: {extended / score('Reeve extended'):.1f} times isotree; "
              f"fit, axis: {fit('isotree axis') / fit('Reeve axis'):.1f} times isotree, "
              f"{fit('scikit-learn axis') / fit('Reeve axis'):.1f} times scikit-learn", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        side(sys.argv[2], sys.argv[3], *(int(n) for n in sys.argv[4:]))
    else:
        main()
