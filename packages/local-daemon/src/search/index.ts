export { MessageSearch } from "./message-search.js";
