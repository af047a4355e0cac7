/** What people are told while something goes on. On a terminal lines may be replaced; elsewhere each is printed once. */
export interface Tell {
  line(text: string): void;
}
