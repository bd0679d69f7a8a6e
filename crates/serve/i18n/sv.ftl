# The desk in Swedish. The three files have the same keys with the same variables; a test compares them.

## Every page

skip = Hoppa till innehållet
menu = Meny
menu-inbox = Inkorg
menu-search = Sök
menu-record = Anteckna
menu-path = Stigen
menu-hand-offs = Överföringar
preferences = Inställningar
language = Språk
theme = Utseende
theme-system = Systemets
theme-light = Ljust
theme-dark = Mörkt
sign-out = Logga ut
to-the-front = Till startsidan
role-advisor = Handläggare
role-lead = Chef
role-front-line = Kundtjänst
role-admin = Administratör
role-machine = Maskin

## Signing in

sign-in-title = Logga in på Polku
sign-in = Logga in
sign-in-key = Nyckel
sign-in-hint = Din personliga nyckel. Du får den av dem som sköter Polku.
sign-in-wrong-key = Nyckeln är okänd. Kontrollera den och försök igen.
sign-in-machine = Det här är en maskins nyckel. Till skrivbordet loggar man in med en persons nyckel.
sign-in-too-many = För många misslyckade försök. Vänta fem minuter och försök igen.
sign-in-used-link = Länken är redan använd eller för gammal. Logga in med din nyckel.
about-title = Vad är Polku?
about = Polku samlar kundens ärenden från butiker, telefontjänst, webb och underleverantörer på en tidslinje.
about-more = Varje ouppklarat ärende har en avdelning som ansvarar för det tills kundens problem är löst.
about-api = Gränssnittet
about-counts = Siffrorna
about-metrics = Mätvärden
about-ready = Är allt klart?
figures-title = Siffrorna nu
figures-events = Händelser
figures-sum = { $accepted } mottagna = { $entries } på tidslinjer + { $pending } på väg + { $anonymous } utan namn + { $apart } för sig
figures-repeats = Upprepningar som inte ändrade något
figures-refused-door = Avvisade vid dörren
figures-refused-machine = Avvisade senare
figures-customers = Kunder
figures-open = Öppna ärenden
figures-resolved = Lösta ärenden
figures-balance = Siffrorna stämmer.
figures-no-balance = Siffrorna stämmer inte just nu.
figures-by-department = Öppna ärenden per avdelning

## Trouble

trouble-title-signed-out = Logga in
trouble-signed-out = Sidan är för inloggade.
trouble-title-forged = Formuläret togs inte emot
trouble-forged = Formuläret hör inte till den här sessionen. Gå tillbaka, ladda om sidan och försök igen.
trouble-title-forbidden = Det här hör inte till dig
trouble-forbidden = Ärendet hör till en annan avdelning, eller så räcker inte din roll för att läsa det.
trouble-title-not-found = Sidan finns inte
trouble-not-found = Det finns inget på den här adressen. Länken är kanske gammal.
trouble-title-too-large = För långt
trouble-too-large = Du skickade mer text än Polku tar emot. Korta av och försök igen.
trouble-title-too-many = För många förfrågningar
trouble-too-many = Nyckeln används just nu mycket tätt. Vänta en stund och försök igen.
trouble-title-unreadable = Begäran gick inte att förstå
trouble-unreadable = Det finns något i adressen eller formuläret som Polku inte känner till.
trouble-title-unavailable = Försök om en stund
trouble-unavailable = Polku kan inte spara just nu. Ingenting gjordes; försök igen om en stund.
trouble-title-internal = Något gick fel
trouble-internal = Felet ligger hos Polku, inte hos dig. De som sköter Polku ser det i sina loggar.

## Times

length-units = d h min
length-under-a-minute = under 1 min
length-minutes = { $minutes } min
length-hours = { $hours } h
length-hours-minutes = { $hours } h { $minutes } min
length-days = { $days } d
length-days-hours = { $days } d { $hours } h
moment-today = i dag kl. { $time }
moment-yesterday = i går kl. { $time }
moment-tomorrow = i morgon kl. { $time }
moment-date = { $date } kl. { $time }
weekday-mon = må
weekday-tue = ti
weekday-wed = on
weekday-thu = to
weekday-fri = fr
weekday-sat = lö
weekday-sun = sö
month-1 = jan.
month-2 = feb.
month-3 = mars
month-4 = apr.
month-5 = maj
month-6 = juni
month-7 = juli
month-8 = aug.
month-9 = sep.
month-10 = okt.
month-11 = nov.
month-12 = dec.
