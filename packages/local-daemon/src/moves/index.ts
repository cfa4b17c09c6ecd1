export { StoreMoves } from "./store-moves.js";
