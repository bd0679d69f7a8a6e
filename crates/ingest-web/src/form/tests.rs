mod answers;
mod pages;
mod words;
mod world;
