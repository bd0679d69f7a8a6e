mod bench;
mod counter;
mod simulation;
mod turns;
