package ui

// How a page says what of it is kept fresh while somebody looks at it:
//
//   - frame.Every is set, and the handler answers GET of the page's path and
//     query with all of it;
//   - an element with an id and the attribute data-live is a live region: it is
//     on every answer of that page, and what is in it is brought up to date in
//     place. Regions do not lie in each other;
//   - an element in a live region with an id of its own and the attribute
//     data-row is a live row, such as a <tr>: it is brought up to date alone, and
//     rows come, go and move only while nobody reads the table. Its parent holds
//     nothing but such rows;
//   - a <time datetime> is shown in the browser's zone; with the attribute
//     data-short without seconds.
