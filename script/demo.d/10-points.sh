# Points in the plane: two Gaussians of unequal weight, 1280 samples of them as data, a small network. The evaluation
# compares the samples with the true distribution.
say "Points: two modes with weights 1/5 and 4/5"
run "$FOKKER" sample --target two-modes --n 1280 --seed 0 --out "$DEMO_OUTPUT/two-modes.csv"
run "$FOKKER" train --data "$DEMO_OUTPUT/two-modes.csv" --out "$DEMO_OUTPUT/points" --seed 0
run "$FOKKER" sample "$DEMO_OUTPUT/points" --n 20000 --seed 1 --out "$DEMO_OUTPUT/points.csv"
run "$FOKKER" evaluate --samples "$DEMO_OUTPUT/points.csv" --reference target:two-modes --json |
  tee "$DEMO_OUTPUT/evaluation.json"
run "$FOKKER" plot scatter "$DEMO_OUTPUT/two-modes.csv" "$DEMO_OUTPUT/points.csv" --out "$DEMO_OUTPUT/points.png"
