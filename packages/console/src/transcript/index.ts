export { TranscriptView } from "./transcript-view.js";
