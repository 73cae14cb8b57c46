// What a person searched for lately: kept in this browser alone, and forgotten when another one signs in or it signs out.

const PLACE = "hub.searches";
const KEPT = 6;

export class Recent {
  constructor(who) {
    this.who = who;
    if (this.read().who !== who) this.forget();
  }

  get all() {
    return this.read().words ?? [];
  }

  add(words) {
    if (!words) return;
    const others = this.all.filter((other) => other.toLowerCase() !== words.toLowerCase());
    this.keep([words, ...others].slice(0, KEPT));
  }

  keep(words) {
    try {
      localStorage.setItem(PLACE, JSON.stringify({ who: this.who, words }));
    } catch {
      // A browser that keeps nothing has no recent searches.
    }
  }

  forget() {
    try {
      localStorage.removeItem(PLACE);
    } catch {
      // Nothing is kept there.
    }
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(PLACE)) ?? {};
    } catch {
      return {};
    }
  }
}
