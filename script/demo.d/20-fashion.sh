# Images: garments of Fashion-MNIST (Debian's dataset-fashion-mnist), for whole minutes, at least one.
say "Images: garments"
reserve=75 # seconds kept for starting, checkpoints and sampling
minutes=$(((DEMO_DEADLINE - $(date +%s) - reserve) / 60))
((minutes >= 1)) || minutes=1
run "$FOKKER" train --data /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz \
  --out "$DEMO_OUTPUT/fashion" --minutes "$minutes" --seed 0
run "$FOKKER" sample "$DEMO_OUTPUT/fashion" --n 64 --seed 1 --out "$DEMO_OUTPUT/fashion.png"
