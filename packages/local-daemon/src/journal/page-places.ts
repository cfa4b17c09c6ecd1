/** Readers by pages whose places are remembered; of more, the places that were read last. */
const MOST = 8;

/** Where those go on who read one journal by pages: they have no cursor, and no connection that would end. */
export class PagePlaces {
  #places: number[] = [];

  /** Somebody who was at `fromSeq` goes on at `nextSeq`. */
  read(fromSeq: number, nextSeq: number): void {
    const known = this.#places.indexOf(fromSeq);
    if (known !== -1) this.#places.splice(known, 1);
    else if (this.#places.length >= MOST) this.#places.shift();
    this.#places.push(nextSeq);
  }

  /** The least place after `seq`; infinite without one. Forgets the others: who reads on from there is far behind. */
  leastAfter(seq: number): number {
    if (this.#places.length === 0) return Number.POSITIVE_INFINITY;
    this.#places = this.#places.filter((place) => place > seq);
    return Math.min(...this.#places);
  }
}
