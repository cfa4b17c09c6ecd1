export { fileSink } from "./node/file-sink.js";
