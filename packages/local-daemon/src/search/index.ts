export { MessageSearch, type MessageSearchOptions, type SearchAnswer, type SearchRow } from "./message-search.js";
export type { SearchHit, SearchQuery } from "./search-query.js";
