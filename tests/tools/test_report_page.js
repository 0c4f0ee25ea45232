// Where the page of a report draws links: each is there, and none leads behind a box. Prints TAP.
//
//   node tests/tools/test_report_page.js core/observe/page/page.html
"use strict";
const page = require("fs").readFileSync(process.argv[2], "utf8");
const code = page.slice(page.indexOf("/* Names from left to right"), page.indexOf("function graph()"));
const layout = new Function("profile", code + "; return { levels, columnsOf, settle, onward };");
let number = 0, failed = 0;

function tell(name, good)
{
    number++;
    failed += !good;
    console.log(`${good ? "ok" : "not ok"} ${number} - ${name}`);
}

// The points that the path of a link leads through, of each curve some.
function pointsOf(path)
{
    const points = [];
    let at = null;
    for (const [, what, rest] of path.matchAll(/([MLC])([^MLC]*)/g)) {
        const n = rest.trim().split(" ").map(Number);
        const end = n.slice(-2);
        for (let t = 0.05; at && what === "C" && t < 1; t += 0.05) {
            const u = 1 - t, mix = i => u * u * u * at[i] + 3 * u * u * t * n[i] + 3 * u * t * t * n[2 + i] + t * t * t * n[4 + i];
            points.push([mix(0), mix(1)]);
        }
        for (let t = 0.05; at && what === "L" && t < 1; t += 0.05)
            points.push([at[0] + t * (end[0] - at[0]), at[1] + t * (end[1] - at[1])]);
        at = end;
    }
    return points;
}

function inside(box, [x, y])
{
    return x > box.x && x < box.x + 190 && y > box.y && y < box.y + box.high;
}

function check(name, names, pairs)
{
    const { levels, columnsOf, settle, onward } = layout({ links: pairs.map(([from, to]) => ({ from, to, count: 1 })) });
    const [columns, ways, back] = columnsOf(names, levels(names));
    settle(columns);
    const boxes = columns.flat().filter(s => s.name !== undefined);
    tell(`${name}: all links are there`, ways.length + back.length === pairs.length && boxes.length === names.length);
    const hidden = ways.filter(([, way]) => pointsOf(onward(way)).some(p => boxes.some(b => inside(b, p))));
    tell(`${name}: none leads behind a box`, hidden.length === 0);
    const over = columns.some(c => c.some((s, i) => i > 0 && c[i - 1].y + c[i - 1].high > s.y));
    tell(`${name}: no box is on another`, !over);
}

check("a link that skips a box", ["a", "b", "c"], [["a", "b"], ["b", "c"], ["a", "c"]]);
check("a circle", ["a", "b", "c"], [["a", "b"], ["b", "c"], ["c", "a"], ["b", "b"]]);
const many = Array.from({ length: 40 }, (_, i) => `t${i}`), pairs = [];
for (let i = 0; i < 40; i++)
    for (const by of [1, 3, 7, 20])
        if (i + by < 40)
            pairs.push([many[i], many[i + by]]);
check("forty names", many, pairs);
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
