mod counter;
mod simulation;
mod turns;
