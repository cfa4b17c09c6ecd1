export { UpdateReaderV2, type UpdateReaderV2Options } from "./update-reader-v2.js";
